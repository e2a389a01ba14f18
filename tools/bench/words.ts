// Names that several modules share.

export const OURS = 'songngan'
