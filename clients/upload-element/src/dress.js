// The styles of the element, in its shadow. A style sheet that a script makes needs no leave of the page's policy
// (`style-src`); browsers before 2023 cannot share one, and load it as a file beside the script.

/// <reference path="./styles.d.ts" />

/** @type {CSSStyleSheet | undefined} */
let sheet

/** @param {ShadowRoot} root */
export function dress(root) {
  if (hasSharedStyles(root)) {
    if (sheet === undefined) {
      sheet = new CSSStyleSheet()
      sheet.replaceSync(STYLES)
    }
    root.adoptedStyleSheets = [sheet]
    return
  }
  const link = document.createElement('link')
  link.rel = 'stylesheet'
  link.href = new URL('songngan-upload.css', import.meta.url).href
  root.append(link)
}

/** @param {ShadowRoot} root */
function hasSharedStyles(root) {
  return 'adoptedStyleSheets' in root
}
