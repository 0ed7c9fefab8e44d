// Line icons on a 16 px grid, drawn with the text's colour. Decorative: the text beside them carries the meaning.

const PATHS = {
  home: "M2.5 7 8 2.5 13.5 7v6.5h-4v-4h-3v4h-4z",
  team: "M6 7.5a2.25 2.25 0 1 0 0-4.5 2.25 2.25 0 0 0 0 4.5ZM1.75 13c.3-2.2 2-3.5 4.25-3.5s3.95 1.3 4.25 3.5M10.5 3.2a2.25 2.25 0 0 1 0 4.1M12 9.8c1.3.5 2.1 1.6 2.3 3.2",
  project: "M2.5 4.5h4l1.5 1.5h5.5v7h-11z",
  insights: "M2.5 13.5h11M4.5 11V7.5M8 11V3.5M11.5 11V6",
  admin: "M8 2 13 4v3.8c0 3-2 5.2-5 6.2-3-1-5-3.2-5-6.2V4zM6 8l1.5 1.5L10.2 6.8",
  account: "M8 8a2.75 2.75 0 1 0 0-5.5A2.75 2.75 0 0 0 8 8ZM2.75 13.5C3.2 11.2 5.2 10 8 10s4.8 1.2 5.25 3.5",
  plus: "M8 3v10M3 8h10",
  check: "m3 8.5 3.2 3.2L13 5",
  close: "m4 4 8 8M12 4l-8 8",
  chevron: "m4.5 6.5 3.5 3.5 3.5-3.5",
  right: "m6.5 4.5 3.5 3.5-3.5 3.5",
  copy: "M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z",
  menu: "M2.5 4.5h11M2.5 8h11M2.5 11.5h11",
  sun: "M8 10.75a2.75 2.75 0 1 0 0-5.5 2.75 2.75 0 0 0 0 5.5ZM8 1.5v1.25M8 13.25v1.25M1.5 8h1.25M13.25 8h1.25M3.4 3.4l.9.9M11.7 11.7l.9.9M12.6 3.4l-.9.9M4.3 11.7l-.9.9",
  moon: "M13 9.6A5.5 5.5 0 0 1 6.4 3 5.5 5.5 0 1 0 13 9.6Z",
  screen: "M2 3h12v8H2zM6 13.5h4",
  logout: "M6.5 2.5h-4v11h4M10 5l3 3-3 3M13 8H6",
  lock: "M3.5 7.25h9v6h-9zM5.25 7.25V5.5a2.75 2.75 0 0 1 5.5 0v1.75",
  info: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 7.25v3.5M8 5.1v.1",
  warning: "M8 2.25 14.25 13H1.75zM8 6.5v3M8 11.2v.1",
  external: "M6.5 3h-4v10.5H13v-4M9 2.5h4.5V7M13.25 2.75 7.5 8.5",
  download: "M8 2.5v7.25M5 7l3 3 3-3M2.5 13h11",
  search: "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9ZM10.3 10.3 13.5 13.5",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
