// The language of the page: texts, and how sizes, durations and dates are written.

import { span } from '../../../../src/submissions/rules/format.ts'
import { EN } from './en.js'
import { TH } from './th.js'

const TIME_ZONE = 'Asia/Bangkok'
/** Thai dates use the Buddhist year, as offices write them. */
const LOCALES = { th: 'th-TH-u-ca-buddhist-nu-latn', en: 'en-GB' }

/** @typedef {'th' | 'en'} Language */

/**
 * The first of these languages that there is, else Thai.
 * @param {readonly (string | null)[]} tags e.g. `en-GB`
 * @returns {Language}
 */
export function languageOf(tags) {
  const known = tags.map((tag) => tag?.slice(0, 2).toLowerCase()).find((tag) => tag === 'th' || tag === 'en')
  return known === 'en' ? 'en' : 'th'
}

export class Words {
  /** @param {Language} language */
  constructor(language) {
    this.language = language
    /** @type {import('./th.js').Table} */
    this.t = language === 'th' ? TH : EN
  }

  /** A text of the service, in the language of the page. @param {{th: string, en: string}} text */
  of(text) {
    return text[this.language]
  }

  /** `21 พฤศจิกายน 2569 เวลา 16:30 น.` / `21 November 2026, 16:30`. @param {string | number} when @param {boolean} [seconds] */
  moment(when, seconds = false) {
    const at = new Date(when)
    const day = this.#format({ day: 'numeric', month: 'long', year: 'numeric' }, at)
    const time = this.#format(
      { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', ...(seconds ? { second: '2-digit' } : {}) },
      at,
    )
    // A no-break space keeps the abbreviation with its number.
    return this.language === 'th' ? `${day} เวลา ${time}\u00a0น.` : `${day}, ${time}`
  }

  /** @param {Intl.DateTimeFormatOptions} options @param {Date} at */
  #format(options, at) {
    return new Intl.DateTimeFormat(LOCALES[this.language], { ...options, timeZone: TIME_ZONE }).format(at)
  }

  /** A duration in its two largest units. @param {number} seconds */
  span(seconds) {
    const whole = Math.max(0, Math.floor(seconds))
    const units = [
      { size: 86_400, th: 'วัน', en: ['day', 'days'] },
      { size: 3600, th: 'ชั่วโมง', en: ['h', 'h'] },
      { size: 60, th: 'นาที', en: ['min', 'min'] },
      { size: 1, th: 'วินาที', en: ['s', 's'] },
    ]
    const first = Math.max(
      0,
      units.findIndex(({ size }) => whole >= size),
    )
    const from = whole === 0 ? units.length - 1 : first
    let rest = whole
    const said = units.slice(from, from + 2).map(({ size, th, en }) => {
      const count = Math.floor(rest / size)
      rest -= count * size
      return count === 0 && whole !== 0 ? '' : `${count} ${this.language === 'th' ? th : en[count === 1 ? 0 : 1]}`
    })
    return said.filter((part) => part !== '').join(' ')
  }

  /** A limit in minutes, as the rules write it: `60 นาที`, `60 minutes`. @param {number} seconds */
  limit(seconds) {
    return this.of(span(seconds))
  }

  /** In steps of 1024, as file managers show it. @param {number} count */
  bytes(count) {
    const units = ['B', 'KB', 'MB', 'GB', 'TB']
    let value = count
    let unit = 0
    while (value >= 1024 && unit < units.length - 1) {
      value /= 1024
      unit++
    }
    const shown = value < 100 && unit > 0 ? Math.round(value * 10) / 10 : Math.round(value)
    return `${shown} ${units[unit]}`
  }

  /** With thousands separators. @param {number} count */
  count(count) {
    return new Intl.NumberFormat('en').format(count)
  }

  /** A list with “or”: `วีดิทัศน์ หรือ PDF`. @param {readonly string[]} items */
  either(items) {
    return items.join(this.language === 'th' ? ' หรือ ' : ' or ')
  }
}
