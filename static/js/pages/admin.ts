export { default as admin } from "../views/admin.tsx";
export { default as admin_users } from "../views/admin_users.tsx";
export { default as admin_settings } from "../views/admin_settings.tsx";
export { default as admin_telemetry } from "../views/admin_telemetry.tsx";
export { default as admin_ping } from "../views/admin_ping.tsx";
