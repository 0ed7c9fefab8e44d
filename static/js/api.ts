// One way to talk to the server: JSON, the CSRF header, one error shape (docs/api.md).

export class ApiError extends Error {
  readonly code: string;
  readonly status: number;
  readonly fields: Readonly<Record<string, string>>;

  constructor(code: string, message: string, status: number, fields: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = "ApiError";
    this.code = code;
    this.status = status;
    this.fields = fields;
  }
}

export type Query = Readonly<Record<string, string | number | boolean | null | undefined>>;

export interface RequestOptions {
  signal?: AbortSignal;
  query?: Query;
}

/**
 * A path that starts with `/` is the server's, any other is below `/api/v1/`. Every method rejects with `ApiError`
 * (`code: "network"`, status 0 when no answer came), or with the signal's reason when aborted. No content is
 * `undefined`. A body is sent as JSON; a `Blob` holds JSON already and is sent byte for byte.
 */
export interface Api {
  get<T>(path: string, options?: RequestOptions): Promise<T>;
  post<T>(path: string, body?: unknown, options?: RequestOptions): Promise<T>;
  put<T>(path: string, body?: unknown, options?: RequestOptions): Promise<T>;
  patch<T>(path: string, body?: unknown, options?: RequestOptions): Promise<T>;
  delete<T = void>(path: string, options?: RequestOptions): Promise<T>;
}

export interface ApiEnvironment {
  fetch(url: string, init: RequestInit): Promise<Response>;
  csrf: { get(): string; set(token: string): void };
  /** Called when an answer says that the session the page believed in has ended (401 `not_signed_in`). */
  onSessionEnd(): void;
  /** Called when a request that may have changed something was answered well. */
  onChange(): void;
}

const SAFE = new Set(["GET", "HEAD"]);

export function createApi(environment: ApiEnvironment): Api {
  async function send(method: string, path: string, body: unknown, signal: AbortSignal | undefined): Promise<Response> {
    const headers: Record<string, string> = { Accept: "application/json" };
    if (!SAFE.has(method)) headers["X-CSRF-Token"] = environment.csrf.get();
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const init: RequestInit = { method, headers, credentials: "same-origin" };
    if (body !== undefined) init.body = body instanceof Blob ? body : JSON.stringify(body);
    if (signal) init.signal = signal;
    try {
      return await environment.fetch(path, init);
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new ApiError("network", "The server cannot be reached. Check the connection and try again.", 0);
    }
  }

  // The token ends with the session it was made for, also when another tab has signed in or out: one fresh try.
  async function renewCsrf(signal: AbortSignal | undefined): Promise<void> {
    const answer = await send("GET", "/api/v1/csrf", undefined, signal);
    const facts = (await readJson(answer)) as { csrf?: unknown } | undefined;
    if (answer.ok && typeof facts?.csrf === "string") environment.csrf.set(facts.csrf);
  }

  async function request<T>(method: string, path: string, body: unknown, options: RequestOptions = {}): Promise<T> {
    const url = address(path, options.query);
    let answer = await send(method, url, body, options.signal);
    let failure = answer.ok ? null : await readError(answer);
    if (failure?.code === "csrf") {
      await renewCsrf(options.signal);
      answer = await send(method, url, body, options.signal);
      failure = answer.ok ? null : await readError(answer);
    }
    if (failure) {
      // Wrong credentials are a 401, too, but no session has ended with them.
      if (failure.code === "not_signed_in") environment.onSessionEnd();
      throw failure;
    }
    if (!SAFE.has(method)) environment.onChange();
    return (await readJson(answer)) as T;
  }

  return {
    get: (path, options) => request("GET", path, undefined, options),
    post: (path, body, options) => request("POST", path, body, options),
    put: (path, body, options) => request("PUT", path, body, options),
    patch: (path, body, options) => request("PATCH", path, body, options),
    delete: (path, options) => request("DELETE", path, undefined, options),
  };
}

/** Where a request goes; parameters without a value are left out. */
export function address(path: string, query: Query = {}): string {
  const base = path.startsWith("/") ? path : `/api/v1/${path}`;
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined) parameters.set(name, String(value));
  }
  const text = parameters.toString();
  return text ? `${base}?${text}` : base;
}

async function readJson(answer: Response): Promise<unknown> {
  if (answer.status === 204) return undefined;
  const text = await answer.text();
  if (!text) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError("bad_answer", "The server answered something this page does not understand.", answer.status);
  }
}

/** The error of an answer that is not ok, whatever its body holds. */
export async function readError(answer: Response): Promise<ApiError> {
  const body: unknown = await readJson(answer).catch(() => undefined);
  const { code, error, fields } = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
  return new ApiError(
    typeof code === "string" ? code : "bad_answer",
    typeof error === "string" ? error : `The server answered with status ${answer.status}.`,
    answer.status,
    typeof fields === "object" && fields !== null ? (fields as Record<string, string>) : {},
  );
}
