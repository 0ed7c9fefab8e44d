export { default as account } from "../views/account.tsx";
export { default as account_security } from "../views/account_security.tsx";
export { default as account_privacy } from "../views/account_privacy.tsx";
