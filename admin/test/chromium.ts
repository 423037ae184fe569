/** Run by itself it unpacks the Chromium of the package, which takes 2 s once on a machine. */
import chromium from '@sparticuz/chromium'

/** Where the browser is: an installed one, if named, or the one of the package. */
export const chromiumPath = async () => process.env.CHROMIUM_PATH ?? (await chromium.executablePath())

if (import.meta.main) await chromiumPath()
