// SPDX-License-Identifier: MIT
#pragma once

namespace vmr {

/// Gives the system back what only a start needs: the heap that is free again, and the pages of the
/// program's own code, of which those that are still used come again from its file.
void give_back_memory();

}  // namespace vmr
