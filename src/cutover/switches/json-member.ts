/** One member of a JSON object's top level. */
export interface JsonMember {
  readonly name: string;
  readonly value: unknown;
  /** Where the value stands in the text. */
  readonly start: number;
  readonly end: number;
}

/** Null when the text is no JSON object. A name that is there twice appears twice. */
export function membersOf(text: string): JsonMember[] | null {
  let whole: unknown;
  try {
    whole = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof whole !== 'object' || whole === null || Array.isArray(whole)) return null;
  const members: JsonMember[] = [];
  // The text is valid, so that its tokens alone tell where values begin and end.
  let depth = 0;
  let name: string | null = null;
  let start = -1;
  const finish = (end: number): void => {
    if (name === null) return;
    members.push({ name, value: JSON.parse(text.slice(start, end)) as unknown, start, end });
    name = null;
    start = -1;
  };
  let lastEnd = 0;
  for (const match of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^\s{}[\]:,"]+/g)) {
    const [token] = match;
    const end = match.index + token.length;
    if (depth === 1 && (token === ',' || token === '}')) finish(lastEnd);
    else if (depth === 1 && name === null && token.startsWith('"'))
      name = JSON.parse(token) as string;
    else if (depth === 1 && name !== null && start < 0 && token !== ':') start = match.index;
    if (token === '{' || token === '[') depth++;
    if (token === '}' || token === ']') depth--;
    lastEnd = end;
  }
  return members;
}

/** Every other byte stays. */
export function replaceValues(
  text: string,
  replacements: readonly { readonly member: JsonMember; readonly value: unknown }[],
): string {
  return replacements
    .toSorted((a, b) => b.member.start - a.member.start)
    .reduce(
      (changed, { member, value }) =>
        changed.slice(0, member.start) + JSON.stringify(value) + changed.slice(member.end),
      text,
    );
}
