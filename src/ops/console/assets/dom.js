// Creates elements from names, members and children; text is never parsed as HTML.

const SVG = 'http://www.w3.org/2000/svg'

/**
 * @param {string} tag
 * @param {Record<string, string | number | boolean | null | undefined | ((event: Event) => void)>} [members]
 * @param {...(Node | string | number | null | undefined | false | (Node | string)[])} children
 * @returns {HTMLElement}
 */
export function el(tag, members = {}, ...children) {
  return /** @type {HTMLElement} */ (fill(document.createElement(tag), members, children))
}

/**
 * @param {string} tag
 * @param {Record<string, string | number>} [members]
 * @param {...(Node | string | number)} children
 */
export function svg(tag, members = {}, ...children) {
  return /** @type {SVGElement} */ (fill(document.createElementNS(SVG, tag), members, children))
}

/**
 * @param {Element} element
 * @param {Record<string, unknown>} members
 * @param {unknown[]} children
 */
function fill(element, members, children) {
  for (const [name, value] of Object.entries(members)) {
    if (value === null || value === undefined || value === false) continue
    if (typeof value === 'function')
      element.addEventListener(name, /** @type {EventListener} */ (/** @type {unknown} */ (value)))
    else element.setAttribute(name, value === true ? '' : String(value))
  }
  for (const child of children.flat()) {
    if (child === null || child === undefined || child === false) continue
    element.append(child instanceof Node ? child : String(child))
  }
  return element
}

/**
 * Whether text is selected in the element; redrawing would clear the selection.
 *
 * @param {Element} element
 */
export function isCopying(element) {
  const selection = getSelection()
  return selection !== null && !selection.isCollapsed && element.contains(selection.anchorNode)
}
