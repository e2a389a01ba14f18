// `npm run audit`: known weaknesses of what production runs. Fails on any that scripts/audit-allowed.json does not give a
// reason for, and on reasons that are no longer needed. Without a registry it says so, and says that nothing is known.

import { sayAudit } from './lib/audit.mjs'
import { main } from './lib/log.mjs'

await main(async () => {
  const inOrder = await sayAudit()
  // With AUDIT_REQUIRED (where a network is sure to be there) not knowing is a failure.
  if (inOrder === false || (inOrder === undefined && process.env.AUDIT_REQUIRED)) process.exitCode = 1
}, 'npm run audit     known weaknesses of the packages; AUDIT_REQUIRED=1 fails where that cannot be known')
