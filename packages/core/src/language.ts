/** Languages that people's text comes in. Codes, JSON keys and logs are never translated. */
export const languages = ['en', 'ja'] as const;
export type Language = (typeof languages)[number];

/** A sentence in every language we speak; a missing one is a compile error. */
export type Text = Readonly<Record<Language, string>>;

/**
 * The language that a POSIX locale name asks for; English where it asks for anything we do not speak.
 * @example languageOf('ja_JP.UTF-8') // 'ja'
 */
export function languageOf(locale: string | undefined): Language {
  return locale !== undefined && /^ja(?:$|[_.@-])/i.test(locale) ? 'ja' : 'en';
}
