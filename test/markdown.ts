/** As much of Markdown as our documents use. */
export interface Block {
  /** The word after the fence, e.g. `sh`; empty where there is none. */
  readonly language: string;
  readonly lines: readonly string[];
}

export interface Heading {
  readonly level: number;
  readonly text: string;
}

const fencedBlock = /^ *```(\S*)\n([\s\S]*?)^ *```$/gm;

export function blocksOf(markdown: string): Block[] {
  return [...markdown.matchAll(fencedBlock)].map(([, language = '', body = '']) => ({
    language,
    lines: body.trimEnd().split('\n'),
  }));
}

export function isShell({ language }: Block): boolean {
  return ['sh', 'bash', 'console'].includes(language);
}

export function outsideBlocks(markdown: string): string {
  return markdown.replace(fencedBlock, '').replace(/<!--[\s\S]*?-->/g, '');
}

export function headingsOf(markdown: string): Heading[] {
  return [...outsideBlocks(markdown).matchAll(/^(#+) (.+)$/gm)].map(([, marks = '', text = '']) => ({
    level: marks.length,
    text,
  }));
}

/** The anchors that forges make of headings. */
export function slugsOf(markdown: string): string[] {
  return headingsOf(markdown).map(({ text }) =>
    text
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  );
}

export function linksOf(markdown: string): string[] {
  const text = outsideBlocks(markdown).replace(/`[^`\n]*`/g, '');
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
}

/**
 * The words after `kannuki` of each call of it in a line of shell. Knows quotes, comments, and what ends a command; that is
 * what documents use.
 */
export function commandWords(line: string): string[][] {
  const commands: string[][] = [[]];
  for (const [token] of line.matchAll(/\s#.*$|^#.*$|'[^']*'|"[^"]*"|\|\||&&|[|;<>()]|[^\s'"|;&<>()]+/g)) {
    if (/^\s*#/.test(token)) break;
    if (/^(?:\|\||&&|[|;<>()])$/.test(token)) commands.push([]);
    else commands.at(-1)?.push(/^['"]/.test(token) ? token.slice(1, -1) : token);
  }
  return commands.flatMap((words) => {
    const [first, ...rest] = words[0] === 'sudo' || words[0] === '$' ? words.slice(1) : words;
    return first === 'kannuki' || first === './kannuki' ? [rest] : [];
  });
}
