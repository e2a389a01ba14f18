// A word above the files about the service itself: it takes no new files now, or could not be used a while ago.

import { h } from './dom.js'

/** @param {import('../panel.js').Panel} panel */
export function serviceStatus({ service, words }) {
  const { t } = words
  const { told, outage } = service
  const closed = told?.status === 'closed' && `${t.serviceClosed}${told.reason === null ? '' : ` (${told.reason})`}`
  const was =
    outage !== null && t.serviceWas(words.moment(Date.parse(outage.from)), words.moment(Date.parse(outage.to)))
  return [closed, was].map((text, i) => text && h('p', { class: 'line', role: 'status', key: `service-${i}` }, text))
}
