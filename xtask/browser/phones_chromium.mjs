export async function chromiumStories() { return { stories: {}, close: async () => {} }; }
