export const runEmulator = async (): Promise<number> => 0;
