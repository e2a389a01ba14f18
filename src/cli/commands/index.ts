// Every command, in the order in which help lists them.

import type { Command, CommandAlone } from '../command.ts'
import { admission } from './admission.ts'
import { drain } from './drain.ts'
import { erase } from './erase.ts'
import { exportReceipts } from './export-receipts.ts'
import { extendDeadline } from './extend-deadline.ts'
import { find } from './find.ts'
import { inspect } from './inspect.ts'
import { lane } from './lane.ts'
import { outages } from './outages.ts'
import { probe } from './probe.ts'
import { receiptKeys } from './receipt-keys.ts'
import { reconcile } from './reconcile.ts'
import { retry } from './retry.ts'
import { verifyReceipt } from './verify-receipt.ts'

export const COMMANDS: readonly (Command | CommandAlone)[] = [
  find,
  inspect,
  retry,
  reconcile,
  admission,
  lane,
  drain,
  outages,
  probe,
  extendDeadline,
  exportReceipts,
  receiptKeys,
  verifyReceipt,
  erase,
]
