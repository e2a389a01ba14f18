// For parts that are tested without the service: nothing was revoked, and keys are derived.

export const NO_REVOCATIONS = {
  isRevoked: () => Promise.resolve(false),
  watch: () => () => undefined,
}
export const DERIVED = { active: true }
