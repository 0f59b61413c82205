// Layout and search off the page's thread.
export {};
