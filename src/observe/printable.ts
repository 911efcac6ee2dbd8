/** One of the colours that Skyferry itself uses, or a character that a terminal obeys instead of showing it. */
const OBEYED =
  // oxlint-disable-next-line no-control-regex -- escape sequences are what is meant
  /\x1b\[(?:[0-2]|22|3[0-79])m|(?![\n\t])[\p{Cc}\p{Bidi_Control}]/gu;

/**
 * Text that steers no terminal, whoever wrote what is in it: names come from databases, notes from people.
 * A character that would shows as its code, which within JSON still means that character.
 */
export function printable(text: string): string {
  return text.replaceAll(OBEYED, (found) =>
    found.length > 1 ? found : `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
