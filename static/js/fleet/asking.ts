/** Talks to the collector. Addresses are relative: it may be mounted below any path. */

import { ApiError, readError } from "../api.ts";

export async function ask<T>(path: string, init: RequestInit = {}): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(path, { credentials: "same-origin", ...init });
  } catch {
    throw new ApiError("network", "The collector cannot be reached. Check the connection and try again.", 0);
  }
  if (!answer.ok) throw await readError(answer);
  return (await answer.json()) as T;
}

export function post<T>(path: string, body: unknown): Promise<T> {
  return ask<T>(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
}
