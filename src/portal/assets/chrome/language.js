// The language of a page: as the portal asks, else as it was chosen before, else that of the browser.

import { languageOf } from '../../../../clients/upload-element/src/words/words.js'

const KEY = 'songngan.language'

/**
 * @param {string | null} asked by the portal: goes before all others
 * @returns {import('../../../../clients/upload-element/src/words/words.js').Language}
 */
export function preferredLanguage(asked) {
  return languageOf([asked, recall(), ...navigator.languages])
}

/** @param {import('../../../../clients/upload-element/src/words/words.js').Language} language */
export function rememberLanguage(language) {
  try {
    localStorage.setItem(KEY, language)
  } catch {
    // storage is switched off: the choice is kept for this visit only
  }
}

function recall() {
  try {
    return localStorage.getItem(KEY)
  } catch {
    return null // storage is switched off
  }
}
