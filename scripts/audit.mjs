// `npm run audit`: known weaknesses of what production runs. Fails on any that scripts/audit-allowed.json does not give a
// reason for, and on reasons that are no longer needed. Without a registry it says so, and says that nothing is known.

import { audit, verdict } from './lib/audit.mjs'
import { main, say, shout } from './lib/log.mjs'

await main(async () => {
  const report = await audit()
  if (report === undefined) {
    shout(
      'NOT AUDITED: the registry cannot be asked from here. Nothing is known about weaknesses of the packages.',
    )
    // With AUDIT_REQUIRED (where a network is sure to be there) not knowing is a failure.
    if (process.env.AUDIT_REQUIRED) process.exitCode = 1
    return
  }
  const { open, allowed, stale } = verdict(report)
  for (const { package: name, id, severity, title } of allowed)
    say(`allowed: ${name} ${id} (${severity}) ${title}`)
  for (const id of stale) shout(`audit-allowed.json: ${id} is found no more; take it out`)
  for (const { package: name, id, severity, title, url } of open)
    shout(`${severity}: ${name} ${id} ${title} ${url}`)
  say(`${open.length} open, ${allowed.length} allowed, of ${report.packages} packages`)
  if (open.length + stale.length > 0) process.exitCode = 1
})
