/**
 * Positions as PostgreSQL counts them: in characters, of which some are two units of a JavaScript string. The text is neither
 * copied nor spread, however long it is.
 */

/** How many characters stand from one place of a text to another, both in units. */
export function charactersIn(text: string, start = 0, end = text.length): number {
  let seconds = 0;
  for (let at = start; at < end; at++) if (isSecond(text, at)) seconds++;
  return end - start - seconds;
}

/** The place, in units, behind so many characters of a text. */
export function behindCharacters(text: string, characters: number): number {
  let at = 0;
  for (let left = characters; left > 0 && at < text.length; left--) at += isSecond(text, at + 1) ? 2 : 1;
  return at;
}

/** Whether the unit is the second one of a character. */
function isSecond(text: string, at: number): boolean {
  return (text.charCodeAt(at) & 0xfc00) === 0xdc00;
}
