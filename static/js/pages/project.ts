export { default as project_create } from "../views/project_create.tsx";
export { default as project } from "../views/project.tsx";
export { default as project_flows } from "../views/project_flows.tsx";
export { default as project_settings } from "../views/project_settings.tsx";
