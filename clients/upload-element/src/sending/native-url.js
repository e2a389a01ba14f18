// In place of url-parse, which tus-js-client imports for browsers without a URL class.

export default globalThis.URL
