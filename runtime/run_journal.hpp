#pragma once
// The journal of a run's directory, in the backend that its config names.
#include <memory>

#include "messages/configuration.hpp"
#include "runtime/journal_book.hpp"
#include "runtime/run_directory.hpp"

namespace esper {

using MadeJournal = Result<std::unique_ptr<JournalBook>, JournalFault>;

/// A new one. Of PostgreSQL the directory keeps the name that tells the run from the database's
/// others. Errors: exists, disk.
[[nodiscard]] MadeJournal create_journal(const RunConfig& config, const RunDirectory& directory);
/// To be written on. A new one where the run was killed before it had any. Errors: not_a_journal,
/// disk, led.
[[nodiscard]] MadeJournal resume_journal(const RunConfig& config, const RunDirectory& directory);
/// For reading alone; of PostgreSQL the directory's config.json says where. Errors: missing,
/// not_a_journal, disk.
[[nodiscard]] MadeJournal open_journal(const RunDirectory& directory);

/// Whether it is a file of the directory, or stands in a database.
[[nodiscard]] bool has_journal_file(const RunDirectory& directory);

}  // namespace esper
