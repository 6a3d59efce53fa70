/** fstab(5) writes blanks and backslashes of a path as octal numbers. */
export function fstabField(text: string): string {
  return text.replace(/[\s\\#]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`);
}

/** What stands in fstab in the place of a line that has moved. */
export function movedLine(originalLine: string): string {
  return `# moved to /etc/kannuki/mounts by kannuki: ${originalLine}`;
}
