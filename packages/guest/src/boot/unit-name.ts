/**
 * systemd's name for a path, as `systemd-escape --path` makes it (systemd.unit(5), "String escaping").
 * @example unitName('/srv/my data', 'mount') // 'srv-my\\x20data.mount'
 */
export function unitName(path: string, type: 'mount' | 'device' | 'swap'): string {
  const inner = path
    .split('/')
    .filter((part) => part !== '')
    .join('/');
  if (inner === '') return `-.${type}`;
  let escaped = '';
  for (const [index, byte] of Buffer.from(inner, 'utf8').entries()) {
    const character = String.fromCharCode(byte);
    if (character === '/') escaped += '-';
    else if (/[A-Za-z0-9:_]/.test(character) || (character === '.' && index > 0)) escaped += character;
    else escaped += `\\x${byte.toString(16).padStart(2, '0')}`;
  }
  return `${escaped}.${type}`;
}
