import { Fragment } from "preact";

/** A field's dotted path, which may break behind a dot. */
export function PingPath({ path }: { path: string }) {
  const [first, ...rest] = path.split(".");
  return <code>{first}{rest.map((part, index) => <Fragment key={index}>.<wbr />{part}</Fragment>)}</code>;
}
