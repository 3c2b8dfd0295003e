/**
 * Positions as PostgreSQL counts them: in characters, of which some are several units of a JavaScript string. The text is
 * neither copied nor spread, however long it is.
 */

/** How many characters stand from one place of a text to another, both in units. */
export function charactersIn(text: string, start = 0, end = text.length): number {
  let further = 0;
  for (let at = start; at < end; at++) if (isFurther(text, at)) further++;
  return end - start - further;
}

/** The place, in units, after so many characters of a text. */
export function afterCharacters(text: string, characters: number): number {
  let at = 0;
  for (let left = characters; left > 0 && at < text.length; left--)
    do at++;
    while (isFurther(text, at));
  return at;
}

/** Whether the unit is not the first one of its character: the second of a pair, or a further byte, see raw-bytes.ts. */
function isFurther(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  if ((unit & 0xfc00) !== 0xdc00) return false;
  return unit >= 0xdd00 || (text.charCodeAt(at - 1) & 0xfc00) === 0xd800;
}
