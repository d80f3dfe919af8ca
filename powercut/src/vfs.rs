//! The table of C functions that SQLite calls.
//!
//! Each file is a [`File`], followed in the same memory by the file of the VFS beneath. Every function passes the call
//! on, and tells [`disk`] of what changes.

use std::{
    ffi::{CStr, OsStr, c_char, c_int, c_void},
    mem::size_of,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    ptr::null_mut,
    slice,
    sync::OnceLock,
};

use rusqlite::ffi::{self, sqlite3_file, sqlite3_io_methods, sqlite3_vfs};

use crate::disk;

/// The name by which a connection chooses this VFS.
pub const NAME: &str = "powercut";

/// A file of ours; SQLite sees its first field.
#[repr(C)]
struct File {
    base: sqlite3_file,
    /// The path of the file; null where nobody has to know, as with SQLite's temporary files.
    path: *mut PathBuf,
}

/// Makes the VFS known to SQLite, once.
///
/// # Panics
/// Where SQLite has no VFS of its own, or refuses this one.
pub fn register() {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        // SAFETY: SQLite's default VFS is there for as long as the process, and may be copied.
        let mut vfs = unsafe {
            let beneath = ffi::sqlite3_vfs_find(std::ptr::null());
            assert!(!beneath.is_null(), "SQLite has a VFS");
            sqlite3_vfs { pAppData: beneath.cast(), ..*beneath }
        };
        vfs.szOsFile += size_of::<File>() as c_int;
        vfs.zName = c"powercut".as_ptr();
        vfs.pNext = null_mut();
        vfs.xOpen = Some(open);
        vfs.xDelete = Some(delete);
        // SAFETY: it is never freed and never changed but by SQLite.
        let registered = unsafe { ffi::sqlite3_vfs_register(Box::leak(Box::new(vfs)), 0) };
        assert_eq!(registered, ffi::SQLITE_OK);
    });
}

/// SAFETY: `vfs` is ours.
unsafe fn beneath(vfs: *mut sqlite3_vfs) -> *mut sqlite3_vfs {
    // SAFETY: `register` put it there.
    unsafe { (*vfs).pAppData.cast() }
}

/// SAFETY: `file` is ours.
unsafe fn real(file: *mut sqlite3_file) -> *mut sqlite3_file {
    // SAFETY: `szOsFile` made room for both.
    unsafe { file.cast::<File>().add(1).cast() }
}

/// SAFETY: `file` is ours and open.
unsafe fn methods<'a>(file: *mut sqlite3_file) -> &'a sqlite3_io_methods {
    // SAFETY: the VFS beneath set them when it opened the file, and they last as long as the process.
    unsafe { &*(*real(file)).pMethods }
}

/// SAFETY: `file` is ours and open.
unsafe fn path<'a>(file: *mut sqlite3_file) -> Option<&'a Path> {
    // SAFETY: `open` made it, and `close` alone frees it.
    unsafe { (*file.cast::<File>()).path.as_ref().map(PathBuf::as_path) }
}

/// SAFETY: `name` is a C string that outlives the answer.
unsafe fn path_of<'a>(name: *const c_char) -> &'a Path {
    // SAFETY: as the caller promises.
    Path::new(OsStr::from_bytes(unsafe { CStr::from_ptr(name) }.to_bytes()))
}

unsafe extern "C" fn open(
    vfs: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite gives a VFS of ours, room for `szOsFile` bytes, and a name that lives as long as the file, or none.
    unsafe {
        (*file).pMethods = std::ptr::null();
        let answer = (*beneath(vfs)).xOpen.expect("a VFS opens")(beneath(vfs), name, real(file), flags, out);
        if answer != ffi::SQLITE_OK {
            return answer;
        }
        (*file.cast::<File>()).path = if name.is_null() {
            null_mut()
        } else {
            disk::opened(path_of(name));
            Box::into_raw(Box::new(path_of(name).to_owned()))
        };
        (*file).pMethods = &raw const METHODS;
        answer
    }
}

unsafe extern "C" fn delete(vfs: *mut sqlite3_vfs, name: *const c_char, sync_dir: c_int) -> c_int {
    // SAFETY: SQLite gives a VFS of ours and a name.
    unsafe {
        let answer = (*beneath(vfs)).xDelete.expect("a VFS deletes")(beneath(vfs), name, sync_dir);
        if answer == ffi::SQLITE_OK {
            disk::deleted(path_of(name), sync_dir != 0);
        }
        answer
    }
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    // SAFETY: the file is ours and open, and nobody uses it after this.
    unsafe {
        let answer = methods(file).xClose.expect("a file closes")(real(file));
        let path = (*file.cast::<File>()).path;
        if !path.is_null() {
            drop(Box::from_raw(path));
        }
        answer
    }
}

unsafe extern "C" fn write(file: *mut sqlite3_file, bytes: *const c_void, amount: c_int, offset: i64) -> c_int {
    // SAFETY: the file is ours and open, and there are so many bytes.
    unsafe {
        let path = path(file);
        if path.is_some_and(|path| !disk::has_room(path, offset as u64, amount as u64)) {
            return ffi::SQLITE_FULL;
        }
        let answer = methods(file).xWrite.expect("a file writes")(real(file), bytes, amount, offset);
        if let (ffi::SQLITE_OK, Some(path)) = (answer, path) {
            disk::wrote(path, offset as u64, slice::from_raw_parts(bytes.cast(), amount as usize));
        }
        answer
    }
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, length: i64) -> c_int {
    // SAFETY: the file is ours and open.
    unsafe {
        let answer = methods(file).xTruncate.expect("a file truncates")(real(file), length);
        if let (ffi::SQLITE_OK, Some(path)) = (answer, path(file)) {
            disk::truncated(path, length as u64);
        }
        answer
    }
}

/// The disk beneath is not asked: what counts as synced is what `disk` says.
unsafe extern "C" fn sync(file: *mut sqlite3_file, _flags: c_int) -> c_int {
    // SAFETY: the file is ours and open.
    let path = unsafe { path(file) };
    if path.is_none_or(disk::synced) { ffi::SQLITE_OK } else { ffi::SQLITE_IOERR_FSYNC }
}

unsafe extern "C" fn read(file: *mut sqlite3_file, bytes: *mut c_void, amount: c_int, offset: i64) -> c_int {
    // SAFETY: the file is ours and open, and there is so much room.
    unsafe { methods(file).xRead.expect("a file reads")(real(file), bytes, amount, offset) }
}

unsafe extern "C" fn file_size(file: *mut sqlite3_file, size: *mut i64) -> c_int {
    // SAFETY: the file is ours and open.
    unsafe { methods(file).xFileSize.expect("a file has a size")(real(file), size) }
}

unsafe extern "C" fn lock(file: *mut sqlite3_file, level: c_int) -> c_int {
    // SAFETY: the file is ours and open.
    unsafe { methods(file).xLock.expect("a file locks")(real(file), level) }
}

unsafe extern "C" fn unlock(file: *mut sqlite3_file, level: c_int) -> c_int {
    // SAFETY: the file is ours and open.
    unsafe { methods(file).xUnlock.expect("a file unlocks")(real(file), level) }
}

unsafe extern "C" fn check_reserved_lock(file: *mut sqlite3_file, reserved: *mut c_int) -> c_int {
    // SAFETY: the file is ours and open.
    unsafe { methods(file).xCheckReservedLock.expect("a file tells its lock")(real(file), reserved) }
}

unsafe extern "C" fn file_control(file: *mut sqlite3_file, what: c_int, with: *mut c_void) -> c_int {
    // SAFETY: the file is ours and open; what is asked for is the business of the VFS beneath.
    unsafe { methods(file).xFileControl.expect("a file is controlled")(real(file), what, with) }
}

unsafe extern "C" fn sector_size(file: *mut sqlite3_file) -> c_int {
    // SAFETY: the file is ours and open.
    unsafe { methods(file).xSectorSize.expect("a file has sectors")(real(file)) }
}

unsafe extern "C" fn device_characteristics(file: *mut sqlite3_file) -> c_int {
    // SAFETY: the file is ours and open.
    unsafe { methods(file).xDeviceCharacteristics.expect("a file has a device")(real(file)) }
}

unsafe extern "C" fn shm_map(
    file: *mut sqlite3_file,
    region: c_int,
    size: c_int,
    extend: c_int,
    memory: *mut *mut c_void,
) -> c_int {
    // SAFETY: the file is ours and open. What is shared is memory, which a power cut always takes.
    unsafe { methods(file).xShmMap.expect("a file is shared")(real(file), region, size, extend, memory) }
}

unsafe extern "C" fn shm_lock(file: *mut sqlite3_file, offset: c_int, count: c_int, flags: c_int) -> c_int {
    // SAFETY: the file is ours and open.
    unsafe { methods(file).xShmLock.expect("a file is shared")(real(file), offset, count, flags) }
}

unsafe extern "C" fn shm_barrier(file: *mut sqlite3_file) {
    // SAFETY: the file is ours and open.
    unsafe { methods(file).xShmBarrier.expect("a file is shared")(real(file)) }
}

unsafe extern "C" fn shm_unmap(file: *mut sqlite3_file, delete: c_int) -> c_int {
    // SAFETY: the file is ours and open.
    unsafe { methods(file).xShmUnmap.expect("a file is shared")(real(file), delete) }
}

/// Version 2: with shared memory, which a write-ahead log needs, and without mapped pages, which would pass us by.
static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};
