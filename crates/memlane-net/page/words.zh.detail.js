// @ts-check
// The Chinese of the regions' details.

/** @type {Record<string, string>} */
export const CHINESE_OF_DETAILS = {};
