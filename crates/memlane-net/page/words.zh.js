// @ts-check
// The page's Chinese, without that of the regions' details.

/** @type {Record<string, string>} */
export const CHINESE = {
};
