/** The address of the service, relative to its page, so that it works behind any prefix of a proxy. */
export function serviceHere() {
  return new URL('.', location.href)
}
