// Names that several parts must agree on.

export const OURS = 'songngan'
