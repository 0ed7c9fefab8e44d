/** Asking the insights API: the range from the address, and the one refusal every dashboard explains instead of failing. */

import { ApiError } from "../../api.ts";
import { dayOf, rangeFrom, type Range } from "../../charts/range.ts";
import type { LoadContext } from "../../page.ts";

/** `null`: this installation keeps no analytics of its own. */
export type Answer<T> = T | null;

export interface Ranged<T> {
  readonly range: Range;
  readonly today: string;
  readonly answer: Answer<T>;
}

export async function askRanged<T>(question: string, context: LoadContext): Promise<Ranged<T>> {
  const today = dayOf(Date.now());
  const range = rangeFrom(context.query, today);
  const query = { from: range.from, to: range.to };
  const answer = await unlessOff(context.api.get<T>(`insights/${question}`, { signal: context.signal, query }));
  return { range, today, answer };
}

export async function unlessOff<T>(asked: Promise<T>): Promise<Answer<T>> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof ApiError && error.code === "local_analytics_off") return null;
    throw error;
  }
}
