/** Asking the insights API: the range from the address, and the one refusal every dashboard explains instead of failing. */

import { ApiError, type Query } from "../../api.ts";
import { dayOf, rangeFrom, type Range } from "../../charts/range.ts";
import type { LoadContext } from "../../page.ts";

/** `null`: this installation keeps no analytics of its own. */
export type Answer<T> = T | null;

export interface Ranged<T> {
  readonly range: Range;
  readonly today: string;
  /** Why the address's days are not those of `range`. */
  readonly problem: string | null;
  readonly answer: Answer<T>;
}

export async function askRanged<T>(question: string, context: LoadContext): Promise<Ranged<T>> {
  const today = dayOf(Date.now());
  const { range, problem } = rangeFrom(context.query, today);
  const query = { from: range.from, to: range.to };
  return { range, today, problem, answer: await ask<T>(question, context, query) };
}

/** Does not even ask when the page's facts say that there is nobody to answer. */
export async function ask<T>(question: string, { api, boot, signal }: LoadContext, query: Query = {}): Promise<Answer<T>> {
  if (!boot.setup.local_analytics.value) return null;
  try {
    return await api.get<T>(`insights/${question}`, { signal, query });
  } catch (error) {
    if (error instanceof ApiError && error.code === "local_analytics_off") return null;
    throw error;
  }
}
