//! The functions of `wasi:filesystem`: what is opened and moved is counted, then it is done by the engine's implementation.

use wasmtime::Result;
use wasmtime::component::Resource;
use wasmtime_wasi::OpenMode;
use wasmtime_wasi::filesystem::Descriptor;
use wasmtime_wasi::p2::bindings::filesystem::preopens;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    Advice, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry, DirectoryEntryStream, ErrorCode, Filesize, Host,
    HostDescriptor, HostDirectoryEntryStream, MetadataHashValue, NewTimestamp, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::{FsError, FsResult};
use wasmtime_wasi_io::streams::{DynInputStream, DynOutputStream};

use super::FilesView;
use super::open::open;
use crate::sandbox::streams::{count_input, count_output};

type Fd = Resource<Descriptor>;

impl FilesView<'_> {
    /// Counts something that is about to be opened or made.
    fn opening(&mut self) -> FsResult<()> {
        self.meter.opening().map_err(FsError::trap)
    }

    fn moving(&mut self, bytes: usize) -> FsResult<()> {
        self.meter.moving(u64::try_from(bytes).unwrap_or(u64::MAX)).map_err(FsError::trap)
    }

    /// Counts bytes that are about to be put into a file, and those by which it becomes longer without them. What cannot be written
    /// is left to the engine's refusal.
    fn writing(&mut self, fd: &Fd, offset: Filesize, length: u64) -> FsResult<()> {
        let Descriptor::File(file) = self.table.get(fd)? else { return Ok(()) };
        if file.perms.write_not_permitted() || !file.open_mode.contains(OpenMode::WRITE) {
            return Ok(());
        }
        let size = file.file.metadata().map_err(|_| ErrorCode::Io)?.len();
        let gap = offset.saturating_sub(size);
        self.meter.written().moving(length.saturating_add(gap)).map_err(FsError::trap)
    }

    async fn opened(
        &mut self,
        fd: &Fd,
        path_flags: PathFlags,
        path: String,
        open_flags: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Descriptor> {
        self.opening()?;
        if !self.files.has_room() {
            return Err(ErrorCode::Quota.into());
        }
        let Descriptor::Dir(dir) = self.table.get(fd)? else {
            return Err(ErrorCode::NotDirectory.into());
        };
        let opened = open(dir, path_flags, path, open_flags, flags).await?;
        self.files.keep_count(&opened);
        Ok(opened)
    }

    fn counted_output(&mut self, stream: Resource<DynOutputStream>) -> FsResult<Resource<DynOutputStream>> {
        let counts = [self.meter.moved(), self.meter.written()];
        count_output(self.table.get_mut(&stream)?, counts);
        Ok(stream)
    }
}

impl preopens::Host for FilesView<'_> {
    fn get_directories(&mut self) -> Result<Vec<(Fd, String)>> {
        let mounts = self.files.mounts.clone();
        mounts.into_iter().map(|(dir, mount)| Ok((self.table.push(Descriptor::Dir(dir))?, mount))).collect()
    }
}

impl Host for FilesView<'_> {
    fn convert_error_code(&mut self, error: FsError) -> Result<ErrorCode> {
        error.downcast()
    }

    fn filesystem_error_code(&mut self, error: Resource<wasmtime::Error>) -> Result<Option<ErrorCode>> {
        self.wasi().filesystem_error_code(error)
    }
}

impl HostDescriptor for FilesView<'_> {
    fn read_via_stream(&mut self, fd: Fd, offset: Filesize) -> FsResult<Resource<DynInputStream>> {
        let stream = self.wasi().read_via_stream(fd, offset)?;
        let moved = self.meter.moved();
        count_input(self.table.get_mut(&stream)?, moved);
        Ok(stream)
    }

    fn write_via_stream(&mut self, fd: Fd, offset: Filesize) -> FsResult<Resource<DynOutputStream>> {
        self.writing(&fd, offset, 0)?;
        let stream = self.wasi().write_via_stream(fd, offset)?;
        self.counted_output(stream)
    }

    fn append_via_stream(&mut self, fd: Fd) -> FsResult<Resource<DynOutputStream>> {
        let stream = self.wasi().append_via_stream(fd)?;
        self.counted_output(stream)
    }

    async fn read(&mut self, fd: Fd, length: Filesize, offset: Filesize) -> FsResult<(Vec<u8>, bool)> {
        let read = self.wasi().read(fd, length, offset).await?;
        self.moving(read.0.len())?;
        Ok(read)
    }

    async fn write(&mut self, fd: Fd, bytes: Vec<u8>, offset: Filesize) -> FsResult<Filesize> {
        self.moving(bytes.len())?;
        self.writing(&fd, offset, u64::try_from(bytes.len()).unwrap_or(u64::MAX))?;
        self.wasi().write(fd, bytes, offset).await
    }

    async fn open_at(
        &mut self,
        fd: Fd,
        path_flags: PathFlags,
        path: String,
        open_flags: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Fd> {
        let opened = self.opened(&fd, path_flags, path, open_flags, flags).await?;
        Ok(self.table.push(opened)?)
    }

    /// Following a link, the engine would open what is there in order to change it; so here the opening is ours.
    async fn set_times_at(
        &mut self,
        fd: Fd,
        path_flags: PathFlags,
        path: String,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        if !path_flags.contains(PathFlags::SYMLINK_FOLLOW) {
            return self.wasi().set_times_at(fd, path_flags, path, accessed, modified).await;
        }
        let opened = self.opened(&fd, path_flags, path, OpenFlags::empty(), DescriptorFlags::READ).await?;
        let opened = self.table.push(opened)?;
        let done = self.wasi().set_times(Resource::new_borrow(opened.rep()), accessed, modified).await;
        self.table.delete(opened)?;
        done
    }

    async fn read_directory(&mut self, fd: Fd) -> FsResult<Resource<DirectoryEntryStream>> {
        self.opening()?;
        self.wasi().read_directory(fd).await
    }

    async fn create_directory_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        self.opening()?;
        self.wasi().create_directory_at(fd, path).await
    }

    async fn link_at(&mut self, fd: Fd, path_flags: PathFlags, path: String, to: Fd, new_path: String) -> FsResult<()> {
        self.opening()?;
        self.wasi().link_at(fd, path_flags, path, to, new_path).await
    }

    async fn symlink_at(&mut self, fd: Fd, target: String, path: String) -> FsResult<()> {
        self.opening()?;
        self.wasi().symlink_at(fd, target, path).await
    }

    async fn readlink_at(&mut self, fd: Fd, path: String) -> FsResult<String> {
        let target = self.wasi().readlink_at(fd, path).await?;
        self.moving(target.len())?;
        Ok(target)
    }

    async fn advise(&mut self, fd: Fd, offset: Filesize, length: Filesize, advice: Advice) -> FsResult<()> {
        self.wasi().advise(fd, offset, length, advice).await
    }

    async fn sync_data(&mut self, fd: Fd) -> FsResult<()> {
        self.wasi().sync_data(fd).await
    }

    async fn sync(&mut self, fd: Fd) -> FsResult<()> {
        self.wasi().sync(fd).await
    }

    async fn get_flags(&mut self, fd: Fd) -> FsResult<DescriptorFlags> {
        self.wasi().get_flags(fd).await
    }

    async fn get_type(&mut self, fd: Fd) -> FsResult<DescriptorType> {
        self.wasi().get_type(fd).await
    }

    async fn set_size(&mut self, fd: Fd, size: Filesize) -> FsResult<()> {
        self.writing(&fd, size, 0)?;
        self.wasi().set_size(fd, size).await
    }

    async fn set_times(&mut self, fd: Fd, accessed: NewTimestamp, modified: NewTimestamp) -> FsResult<()> {
        self.wasi().set_times(fd, accessed, modified).await
    }

    async fn stat(&mut self, fd: Fd) -> FsResult<DescriptorStat> {
        self.wasi().stat(fd).await
    }

    async fn stat_at(&mut self, fd: Fd, path_flags: PathFlags, path: String) -> FsResult<DescriptorStat> {
        self.wasi().stat_at(fd, path_flags, path).await
    }

    async fn remove_directory_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        self.wasi().remove_directory_at(fd, path).await
    }

    async fn rename_at(&mut self, fd: Fd, path: String, to: Fd, new_path: String) -> FsResult<()> {
        self.wasi().rename_at(fd, path, to, new_path).await
    }

    async fn unlink_file_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        self.wasi().unlink_file_at(fd, path).await
    }

    async fn is_same_object(&mut self, one: Fd, other: Fd) -> Result<bool> {
        self.wasi().is_same_object(one, other).await
    }

    async fn metadata_hash(&mut self, fd: Fd) -> FsResult<MetadataHashValue> {
        self.wasi().metadata_hash(fd).await
    }

    async fn metadata_hash_at(&mut self, fd: Fd, path_flags: PathFlags, path: String) -> FsResult<MetadataHashValue> {
        self.wasi().metadata_hash_at(fd, path_flags, path).await
    }

    fn drop(&mut self, fd: Fd) -> Result<()> {
        HostDescriptor::drop(&mut self.wasi(), fd)
    }
}

impl HostDirectoryEntryStream for FilesView<'_> {
    async fn read_directory_entry(&mut self, stream: Resource<DirectoryEntryStream>) -> FsResult<Option<DirectoryEntry>> {
        let entry = self.wasi().read_directory_entry(stream).await?;
        self.moving(entry.as_ref().map_or(0, |entry| entry.name.len()))?;
        Ok(entry)
    }

    fn drop(&mut self, stream: Resource<DirectoryEntryStream>) -> Result<()> {
        HostDirectoryEntryStream::drop(&mut self.wasi(), stream)
    }
}
