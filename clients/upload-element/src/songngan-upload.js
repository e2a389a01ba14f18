// Entry of the package: defines the element, unless another version of it did on this page.

import { SongnganUpload } from './element.js'

export { SongnganUpload }

if (customElements.get('songngan-upload') === undefined) customElements.define('songngan-upload', SongnganUpload)
