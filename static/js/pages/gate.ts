export { default as register } from "../views/register.tsx";
export { default as setup } from "../views/setup.tsx";
