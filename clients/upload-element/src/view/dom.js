// A small virtual DOM. `h` describes an element; `render` updates the page to match, and
// does not touch what is the same: a playing video, a half-typed field and the focus survive.

import { partsOf } from './parts.js'

/** @typedef {{tag: string, props: Props, children: Item[]}} Description */
/** @typedef {Description | string} Item */
/** @typedef {Item | number | null | undefined | false | Content[]} Content */
/**
 * `key`: identifies the element among siblings. `on…`: a handler. `made`: called with a new element.
 * Everything else is an attribute; false, null and undefined leave it out.
 * @typedef {Record<string, any>} Props
 */
/** @typedef {{item: Item, node: Node & {drawn?: Drawn[]}}} Drawn */

const SVG = 'http://www.w3.org/2000/svg'
const SVG_TAGS = ['svg', 'path', 'circle', 'rect', 'g']
/** Properties that a person may change: set only if the description changes. */
const PROPERTIES = ['value', 'checked', 'disabled', 'hidden', 'open']

/** @param {string} tag @param {Props | null} [props] @param {...Content} children @returns {Description} */
export function h(tag, props, ...children) {
  return { tag, props: props ?? {}, children: flat(children) }
}

/** @param {Content[]} contents @returns {Item[]} */
function flat(contents) {
  return contents.flatMap((content) => {
    if (Array.isArray(content)) return flat(content)
    if (content === null || content === undefined || content === false || content === '') return []
    return typeof content === 'number' ? String(content) : content
  })
}

/** @param {Element & {drawn?: Drawn[]}} parent @param {...Content} contents */
export function render(parent, ...contents) {
  const old = parent.drawn ?? []
  if (parent.drawn === undefined) parent.replaceChildren()
  const left = new Set(old)
  const drawn = flat(contents).map((item) => {
    const match = old.find((candidate) => left.has(candidate) && fits(candidate.item, item))
    if (match === undefined) return { item, node: make(item) }
    left.delete(match)
    update(match.node, match.item, item)
    return { item, node: match.node }
  })
  for (const { node } of left) /** @type {ChildNode} */ (node).remove()
  let place = parent.firstChild
  for (const { node } of drawn) {
    if (node === place) place = place.nextSibling
    else parent.insertBefore(node, place)
  }
  parent.drawn = drawn
}

/** @param {Item} a @param {Item} b */
function fits(a, b) {
  if (typeof a === 'string' || typeof b === 'string') return typeof a === typeof b
  return a.tag === b.tag && a.props['key'] === b.props['key']
}

/** @param {Item} item @returns {Node} */
function make(item) {
  if (typeof item === 'string') return document.createTextNode(item)
  const element = SVG_TAGS.includes(item.tag)
    ? document.createElementNS(SVG, item.tag)
    : document.createElement(item.tag)
  setAll(element, {}, item.props)
  render(element, item.children)
  item.props['made']?.(element)
  return element
}

/** @param {Node} node @param {Item} before @param {Item} after */
function update(node, before, after) {
  if (typeof after === 'string' || typeof before === 'string') {
    if (before !== after) node.textContent = String(after)
    return
  }
  const element = /** @type {Element} */ (node)
  setAll(element, before.props, after.props)
  render(element, after.children)
}

/** @param {Element} element @param {Props} before @param {Props} after */
function setAll(element, before, after) {
  for (const name of Object.keys(before)) if (!(name in after)) set(element, name, undefined)
  for (const [name, value] of Object.entries(after)) if (before[name] !== value) set(element, name, value)
}

/** @param {any} element @param {string} name @param {unknown} value */
function set(element, name, value) {
  if (name === 'key' || name === 'made') return
  if (name === 'class') set(element, 'part', partsOf(String(value ?? '')) || null)
  if (name.startsWith('on')) element[name] = value ?? null
  else if (name === 'share') element.style.setProperty('--share', String(value))
  else if (PROPERTIES.includes(name)) element[name] = value ?? (name === 'value' ? '' : false)
  else if (value === false || value === null || value === undefined) element.removeAttribute(name)
  else element.setAttribute(name, value === true ? '' : String(value))
}
