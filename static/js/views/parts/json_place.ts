/** Where a text stops being JSON. `JSON.parse` says it in words that differ from browser to browser, or not at all. */

const BLANK = /[ \t\r\n]*/y;
const STRING = /"[^"\\\x00-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*)*"/y;
const WORD = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)(?![\w.])/y;

/** What may stand here. `first …`: the array or object may end at once; `rest`: a comma, an end, or nothing more. */
type Expected = "value" | "first value" | "key" | "first key" | "colon" | "rest";

/** The offset of the first token that cannot be there, the text's length when it ends too early; null: it is JSON. */
export function errorOffset(text: string): number | null {
  const open: string[] = [];
  let expected: Expected = "value";
  let at = skip(BLANK, text, 0) ?? 0;
  while (at < text.length) {
    const scalar = skip(STRING, text, at) ?? skip(WORD, text, at);
    const next = step(expected, text[at] ?? "", scalar !== null, open);
    if (next === null) return at;
    expected = next;
    at = skip(BLANK, text, scalar ?? at + 1) ?? at + 1;
  }
  return expected === "rest" && open.length === 0 ? null : text.length;
}

/** What is expected after a token that begins with `first`; null when it cannot stand here. Keeps `open`. */
function step(expected: Expected, first: string, scalar: boolean, open: string[]): Expected | null {
  const inside = open.at(-1);
  if (first === "}" || first === "]") {
    const closes = inside === (first === "}" ? "{" : "[");
    const may = expected === "rest" || expected === (first === "}" ? "first key" : "first value");
    if (!closes || !may) return null;
    open.pop();
    return "rest";
  }
  switch (expected) {
    case "key":
    case "first key":
      return scalar && first === '"' ? "colon" : null;
    case "colon":
      return first === ":" ? "value" : null;
    case "rest":
      return first === "," && inside ? (inside === "{" ? "key" : "value") : null;
    default:
      if (scalar) return "rest";
      if (first !== "{" && first !== "[") return null;
      open.push(first);
      return first === "{" ? "first key" : "first value";
  }
}

/** Where what `pattern` (sticky) matches at `at` ends; null when it does not. */
function skip(pattern: RegExp, text: string, at: number): number | null {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : null;
}
