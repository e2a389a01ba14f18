// The compiler's own functions, which TypeScript 7 does not offer any more: those of TypeScript 6.

import common from '@ts-morph/common'

export default common.ts
