/** Loaded into the proxy before its program, which knows nothing of it (`--import`). */
import { answerWithMemory } from '../support/settled-memory.js';

answerWithMemory();
