/** The text of `songngan-upload.css` with all that it imports: the build puts it in. */
declare const STYLES: string
