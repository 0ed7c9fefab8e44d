import assert from "node:assert/strict";
import { test } from "node:test";

import { errorOffset } from "../../static/js/views/parts/json_place.ts";

test("what is JSON has no wrong place", () => {
  const values = [
    "0", "-1.5e+10", "true", '""', '"\\u00e9\\n\\""', "[]", "{}", "[[], {}]", ' \n[1, "a", null, {"b": [true, {"c": -0}]}]\t',
  ];
  for (const text of values) {
    JSON.parse(text);
    assert.equal(errorOffset(text), null, text);
  }
});

test("the wrong place is the first token that cannot stand there", () => {
  const wrong: readonly (readonly [string, number])[] = [
    ['[{"id": ]', 8], ["[1,]", 3], ["[1 2]", 3], ["{1: 2}", 1], ['{"a" 1}', 5], ['{"a": 1,}', 8], ["[}", 1], ["{]", 1], ["[01]", 1],
    ["[.5]", 1], ["[1.]", 1], ["[nul]", 1], ["[truely]", 1], ["['a']", 1], ['["a\nb"]', 1], ['["\\x"]', 1], ["[] []", 3], ["]", 0],
    ["NaN", 0], ["[1]}", 3], ["\ufeff[]", 0], ["[,1]", 1], ['{"a": {"b": 1]}', 13],
  ];
  for (const [text, offset] of wrong) {
    assert.throws(() => JSON.parse(text), SyntaxError, text);
    assert.equal(errorOffset(text), offset, text);
  }
});

test("a text that ends too early is wrong at its end", () => {
  for (const text of ["", " ", "[", '{"a"', '{"a":', "[1,", '[{"id": "1"']) assert.equal(errorOffset(text), text.length, text);
});

test("it agrees with JSON.parse on texts with one character changed", () => {
  const text = '[{"id":"a1","type":"tab","n":[1,-2.5,true,null,"\\u00e9\\\\"],"o":{}}]';
  for (let at = 0; at < text.length; at += 1) {
    for (const changed of ["", ",", '"', "]", "}", "{", "[", ":", "0", "\\", " ", "\n", "e", "."]) {
      const broken = text.slice(0, at) + changed + text.slice(at + 1);
      assert.equal(errorOffset(broken) === null, isJson(broken), broken);
    }
  }
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
