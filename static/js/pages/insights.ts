export { default as insights } from "../views/insights.tsx";
export { default as insights_routes } from "../views/insights_routes.tsx";
export { default as insights_live } from "../views/insights_live.tsx";
