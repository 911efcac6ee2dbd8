const LONGEST = 300;

/** A text of the service for people: MySQL's errors within it quote values of rows, which do not leave the servers. */
export function textOf(said: string): string {
  const text = said
    .replaceAll(/\b(entry|values?:?|key)\s*'(?:[^'\\]|\\.|'')*'/gi, "$1 '…'")
    .replaceAll(/\b(password|pwd)\s*[=:]\s*\S+/gi, '$1=…')
    .replaceAll(/\s+/g, ' ')
    .trim();
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST - 1)}…`;
}
