// The texts of the check page, beside those that all pages share.

import { Words } from '../../../../clients/upload-element/src/words/words.js'
import { EN } from './en.js'
import { TH } from './th.js'

export class CheckWords extends Words {
  /** @param {import('../../../../clients/upload-element/src/words/words.js').Language} language */
  constructor(language) {
    super(language)
    this.t = { ...this.t, verify: language === 'th' ? TH : EN }
  }
}
