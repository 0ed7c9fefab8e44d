// A script that does not come: the connection was lost for a moment, the server starts anew, or a blocker keeps it out.
// Only the last of these lasts. Chromium asks for a module again whose request has failed; a browser that remembers the
// failure answers each further try with it at once, and is treated like a blocker.

const PAUSES = [5_000, 30_000, 120_000];

/** Tries again, a few times. `pause` may reject to give up; what rejects at the end is the last try. */
export async function patiently<T>(load: () => Promise<T>, pause: (milliseconds: number) => Promise<void>): Promise<T> {
  for (const milliseconds of PAUSES) {
    try {
      return await load();
    } catch {
      await pause(milliseconds);
    }
  }
  return load();
}
