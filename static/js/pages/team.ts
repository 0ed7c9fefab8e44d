export { default as home } from "../views/home.tsx";
export { default as team_create } from "../views/team_create.tsx";
export { default as team } from "../views/team.tsx";
export { default as team_projects } from "../views/team_projects.tsx";
export { default as team_members } from "../views/team_members.tsx";
export { default as team_settings } from "../views/team_settings.tsx";
