// Words of tus that more than one file needs.

/** Bodies that are bytes of a file. */
export const OFFSET_TYPE = 'application/offset+octet-stream'

export type TusMethod = 'POST' | 'HEAD' | 'PATCH' | 'DELETE' | 'OPTIONS' | 'GET'
