// What a run leaves on a stage: audited over its API, then removed.

import type { Stage } from '../../lib/consent.ts'
import type { Portal } from '../../lib/portal.ts'
import { type Removal, removeSubmissions } from '../../lib/remove.ts'
import type { Finding } from '../../surge/verify.ts'
import type { RehearsalArgs } from '../args.ts'
import type { UploadOutcome } from '../generator/messages.ts'
import { auditRemoval, auditStage, type StageAuditDeps } from './stage.ts'
import type { StoreAudit } from './store.ts'

export class Visit {
  readonly #deps: StageAuditDeps
  readonly #keep: boolean
  readonly #say: (line: string) => void
  #portalName: string | undefined
  #removal: Promise<Removal | undefined> | undefined

  constructor(deps: {
    portal: Portal
    run: string
    args: RehearsalArgs
    /** Its operations listeners; the first one counts for all. */
    ops: readonly URL[]
    stage: Stage
    say: (line: string) => void
  }) {
    const { portal, run, args, ops, stage, say } = deps
    const prefix = `rehearsal-${run}`
    this.#deps = { portal, ops: ops[0], secret: stage.secret, prefix, clients: args.scenario.clients }
    this.#keep = args.keep
    this.#say = say
  }

  async audit(outcomes: readonly UploadOutcome[], findings: readonly Finding[]): Promise<StoreAudit> {
    const { portalName, ...audit } = await auditStage(this.#deps, outcomes, findings)
    this.#portalName = portalName
    return audit
  }

  /** Once, however often it is called; after an error or Ctrl-C too. undefined: the run is kept. */
  remove(): Promise<Removal | undefined> {
    this.#removal ??= this.#remove()
    return this.#removal
  }

  async #remove(): Promise<Removal | undefined> {
    const { portal, prefix, clients } = this.#deps
    if (this.#keep) {
      this.#say(`Kept: submissions ${prefix}-0 to ${prefix}-${clients - 1}.`)
      return undefined
    }
    this.#say(`Removing submissions ${prefix}-0 to ${prefix}-${clients - 1} …`)
    const ids = Array.from({ length: clients }, (_, i) => `${prefix}-${i}`)
    const removal = await removeSubmissions(portal, ids)
    for (const id of removal.left) this.#say(`not removed: ${id}`)
    if (this.#portalName !== undefined) removal.errors.push(...(await auditRemoval(this.#deps, this.#portalName)))
    return removal
  }
}
